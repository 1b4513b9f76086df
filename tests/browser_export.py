"""The page of docs/export.md, in headless Chromium and without a network: `make test-browser`.

It installs Chromium where there is none (apt), and takes onnxruntime-web from npm.
"""

import functools
import html
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from conftest import ROOT, draw_picture
from PIL import Image

from affect.core.predictions import PROBABILITIES
from affect.export.judging import OUTPUTS, TOLERANCE
from affect.export.onnx.conversion import write_onnx
from affect.models import backend
from affect.models.backend import keras
from affect.models.card import ExportCard
from affect.models.multitask import Heads, build_model
from affect.models.predictors import open_predictor

ONNXRUNTIME_WEB = "onnxruntime-web@1.30.0"
SIZE = 96
# Another browser, another order of additions.
ALLOWED = 10 * TOLERANCE
CARD = ExportCard(
    source={},
    precision="float32",
    expressions=[name.removeprefix("p_") for name in PROBABILITIES],
    model=None,
    parameters={},
    metrics=None,
    licence="MIT",
)


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


def main() -> None:
    """Compare, and fail over a difference."""
    backend.set_up(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_page(folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=place))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        title = read_title(f"http://127.0.0.1:{server.server_port}/page.html")
        server.shutdown()
        picture = np.asarray(Image.open(folder / "face.png").convert("RGB"))
        row = open_predictor(folder / "efficientnetb1.onnx").predict([picture[None]])
    expected = row[OUTPUTS].to_numpy(float)[0]
    differs = float(np.abs(np.array(title.split(), float) - expected).max())
    print(f"browser: differs from ONNX Runtime in Python by {differs:.1e}")
    if differs > ALLOWED:
        sys.exit(f"more than {ALLOWED:.0e}: {title} in place of {expected}")


def write_page(folder: Path) -> None:
    """Write the page of the document, and all that it loads."""
    document = (ROOT / "docs" / "export.md").read_text()
    (page,) = re.findall(r"```html\n(.+?)```", document, re.DOTALL)
    (folder / "page.html").write_text(f"<!DOCTYPE html>\n<title>nothing yet</title>\n{page}")
    Image.fromarray(draw_picture(3, SIZE)).save(folder / "face.png")
    model = build_model("efficientnetb1", SIZE, None, 10, Heads(32, 16, 16), ("emotion", "valence", "arousal")).full
    spread_outputs(model)
    write_onnx(model, CARD, folder / "efficientnetb1.onnx")
    subprocess.run(["npm", "pack", ONNXRUNTIME_WEB, "--silent"], cwd=folder, check=True)
    (packed,) = folder.glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    shutil.move(folder / "package" / "dist", folder / "dist")


def spread_outputs(model: keras.Model) -> None:
    """Give a network at random outputs that depend on the picture."""
    images = np.stack([draw_picture(seed, SIZE) for seed in range(8)]).astype(np.float32)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum, layer.trainable = 0.0, True
    model(images, training=True)


def read_title(url: str) -> str:
    """Return the title that a page has come to in Chromium, which can reach nothing but this machine."""
    if shutil.which("chromium") is None:
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "chromium"], check=True, stdout=subprocess.DEVNULL)
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000", "--dump-dom"]
    offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    done = subprocess.run([*command, offline, url], capture_output=True, text=True, check=True, timeout=300)
    found = re.search(r"<title>(.*?)</title>", done.stdout)
    if found is None or len(found[1].split()) != len(PROBABILITIES) + 2:
        sys.exit(f"the page came to nothing: {done.stdout[:2000]} {done.stderr[-2000:]}")
    return html.unescape(found[1])


if __name__ == "__main__":
    main()
