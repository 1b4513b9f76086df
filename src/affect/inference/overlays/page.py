"""One self-contained page of videos: curves of each face, expressions in turn, and a frame for each clear change."""

import base64
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image
from tqdm import tqdm

from affect.core.files import new_file
from affect.core.labels import EXPRESSION_COLOURS, VALENCE_AROUSAL
from affect.inference.overlays.drawing import draw_faces
from affect.inference.overlays.timeline import FaceLine, Spell, Timeline, read_timeline
from affect.inference.sources import Source
from affect.inference.tables import read_pictures
from affect.inference.videos import Every, UnusableVideoError, Video
from affect.inference.videos.following import MAX_GAP, longest_gap
from affect.plumbing.errors import InputError

# Of Okabe and Ito (2008), which colour-blind people tell apart.
FACE_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
# Of the drawing: pixels across, down for a curve, down for a face's expressions.
WIDTH, CURVE, BAND = 1000, 150, 18
# More points than pixels show nothing.
MAX_POINTS = 2000
# The longer side of a frame on the page.
_FRAME_SIDE = 640


@dataclass(frozen=True)
class Shot:
    """A frame on the page: when, of which face's change, and the picture as a data URL."""

    time: float
    face: int
    spell: Spell
    url: str


def write_video_page(table: Path, sources: Sequence[Source], page: Path, every: Every, max_pixels: int) -> None:
    """Write a page with a section for each video that has rows in a table."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    by_name = {source.name: source for source in sources if source.is_video}
    with new_file(page) as temporary, temporary.open("w", encoding="utf-8") as opened:
        videos = _describe_each(table, by_name, every, max_pixels)
        shown = environment.get_template("video_page.html.j2")
        bars = tqdm(videos, "report", len(by_name), unit=" videos", disable=None)
        for block in shown.generate(videos=bars, colours=EXPRESSION_COLOURS, width=WIDTH, curve=CURVE, band=BAND):
            opened.write(block.encode(errors="backslashreplace").decode())


def _describe_each(
    table: Path, by_name: dict[str, Source], every: Every, max_pixels: int
) -> Iterator[dict[str, object]]:
    """Yield what the template shows of each video, one at a time."""
    pictures = (rows for rows in read_pictures(table) if rows[0]["source"] in by_name)
    for name, rows in groupby(pictures, key=lambda rows: rows[0]["source"]):
        with _open(by_name[name], max_pixels) as video:
            max_gap = longest_gap(video.step(every))
            timeline = read_timeline(rows, max_gap)
            shots = list(_take_shots(video, timeline, every))
        faces = timeline.longest()
        yield {
            "name": name,
            "timeline": timeline,
            "faces": list(zip(faces, FACE_COLOURS, strict=False)),
            "curves": {
                task: [draw_curve(face, task, timeline.seconds, max_gap) for face in faces] for task in VALENCE_AROUSAL
            },
            "shots": shots,
        }


def _open(source: Source, max_pixels: int) -> Video:
    try:
        return Video(source.file, max_pixels)
    except UnusableVideoError as error:
        raise InputError(f"{source.file}: has changed since it was predicted: {error}") from None


def draw_curve(face: FaceLine, task: str, seconds: float, max_gap: float = MAX_GAP) -> str:
    """Return the path of an SVG drawing of valence or arousal, from -1 at the bottom to 1 at the top."""
    step = -(-len(face.points) // MAX_POINTS)
    path, before = [], -math.inf
    for time, *pair in face.points[::step]:
        value = pair[VALENCE_AROUSAL.index(task)]
        if value is None:
            continue
        x, y = WIDTH * time / max(seconds, 1e-9), CURVE * (1 - value) / 2
        path.append(f"{'L' if time - before <= step * max_gap else 'M'}{x:.1f} {y:.1f}")
        before = time
    return "".join(path)


def _take_shots(video: Video, timeline: Timeline, every: Every) -> Iterator[Shot]:
    """Yield the frames of the clear changes, drawn on, as the video has them."""
    wanted: dict[int, list[tuple[FaceLine, Spell]]] = {}
    for face, spell in timeline.changes():
        wanted.setdefault(spell.rows[0]["frame"], []).append((face, spell))
    for frame in video.frames(every) if wanted else ():
        if changes := wanted.pop(frame.number, None):
            picture = Image.fromarray(draw_faces(frame.image, changes[0][1].rows))
            picture.thumbnail((_FRAME_SIDE, _FRAME_SIDE))
            content = io.BytesIO()
            picture.save(content, "JPEG", quality=80)
            url = f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"
            yield from (Shot(frame.time, face.number, spell, url) for face, spell in changes)
        if not wanted:
            return
