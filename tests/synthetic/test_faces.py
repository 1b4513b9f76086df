"""The drawn faces: labels, landmarks, muscles and picture agree; nothing but the arguments decides them."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from affect.core.labels import EXPRESSIONS
from affect.core.rng import rng_for
from affect.synthetic.faces import ACTION_UNITS, EXPRESSION_MOMENTS, Face, render_face
from affect.synthetic.faces import face as face_module
from affect.synthetic.faces.camera.pose import Camera, Pose, depth
from affect.synthetic.faces.person.anatomy import MIRROR, TRAITS, Identity, move, resting_shape, sample_identity
from affect.synthetic.faces.person.expressions import ShownExpression, sample_expression

SIZE = 96
MEAN_FACE = resting_shape(Identity(dict.fromkeys(TRAITS, 0.0), np.zeros((36, 2))))


def moved(**action_units: float) -> np.ndarray:
    """Displacement of the mean face's landmarks; positive is right and down."""
    return move(MEAN_FACE, action_units) - MEAN_FACE


@pytest.fixture(scope="module")
def faces() -> list[Face]:
    return [render_face(3, face_id, face_id % 8, SIZE) for face_id in range(160)]


def test_same_arguments_draw_the_same_face_in_any_order() -> None:
    first = [render_face(1, face_id, 5, SIZE) for face_id in (0, 1, 2)]
    again = [render_face(1, face_id, 5, SIZE) for face_id in (2, 1, 0)][::-1]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.landmarks, other.landmarks)
        assert (one.valence, one.arousal) == (other.valence, other.arousal)
        assert one.action_units == other.action_units


def test_number_of_opencv_threads_changes_no_pixel() -> None:
    threads = cv2.getNumThreads()
    images = []
    for number in (1, 2):
        cv2.setNumThreads(number)
        images.append(render_face(1, 4, 4, 224).image)
    cv2.setNumThreads(threads)
    np.testing.assert_array_equal(images[0], images[1])


def test_global_random_state_is_neither_read_nor_changed() -> None:
    np.random.seed(0)
    before = render_face(1, 3, 3, SIZE).image
    expected = np.random.random()
    np.random.seed(0)
    assert np.random.random() == expected
    np.testing.assert_array_equal(render_face(1, 3, 3, SIZE).image, before)


@pytest.mark.parametrize("other", [(2, 0), (1, 1)])
def test_another_seed_or_id_draws_another_face(other: tuple[int, int]) -> None:
    face, another = render_face(1, 0, 1, SIZE), render_face(*other, 1, SIZE)
    assert np.abs(face.image.astype(int) - another.image).mean() > 5
    assert face.valence != another.valence


@pytest.mark.parametrize("size", [64, 100, 224])
def test_size_scales_the_same_face(size: int) -> None:
    face, reference = render_face(1, 9, 1, size), render_face(1, 9, 1, 128)
    assert face.image.shape == (size, size, 3)
    assert face.image.dtype == np.uint8
    np.testing.assert_allclose((face.landmarks + 0.5) / size, (reference.landmarks + 0.5) / 128, atol=1e-9)


@pytest.mark.parametrize("expression", [-1, 8])
def test_unknown_expression_is_refused(expression: int) -> None:
    with pytest.raises(ValueError, match="0-7"):
        render_face(1, 0, expression, SIZE)


def test_labels_are_in_range_and_action_units_keep_their_order(faces: list[Face]) -> None:
    for face in faces:
        assert -1 <= face.valence <= 1
        assert -1 <= face.arousal <= 1
        assert tuple(face.action_units) == ACTION_UNITS
        assert all(0 <= intensity <= 1 for intensity in face.action_units.values())


@pytest.mark.parametrize("expression", range(8))
def test_label_moments_are_affectnets(expression: int) -> None:
    count = 2000
    random = rng_for(5, "moments", expression)
    drawn = np.array([sample_expression(random, expression)[:2] for _ in range(count)])
    moments = EXPRESSION_MOMENTS[EXPRESSIONS[expression]]
    for values, mean, std in zip(drawn.T, moments[0::2], moments[1::2], strict=True):
        # Cutting a normal off at 1 lowers a mean that lies close to it: at most by this much, of a deviation.
        cut = np.exp(-(((1 - abs(mean)) / std) ** 2) / 2) / np.sqrt(2 * np.pi)
        assert abs(values.mean() - mean) < std * (4 / np.sqrt(count) + 1.5 * cut)
        assert abs(values.std() / std - 1) < 4 / np.sqrt(2 * count) + 1.5 * cut


@pytest.mark.parametrize(
    ("expression", "units"),
    [
        ("happy", {"AU6", "AU12L", "AU12R"}),
        ("sad", {"AU1", "AU4", "AU15"}),
        ("surprise", {"AU1", "AU2", "AU5", "AU26"}),
        ("fear", {"AU1", "AU2", "AU4", "AU5", "AU20", "AU26"}),
        ("disgust", {"AU9", "AU10", "AU15"}),
        ("anger", {"AU4", "AU5", "AU7", "AU23"}),
    ],
)
def test_expressions_contract_their_emfacs_prototype(expression: str, units: set[str]) -> None:
    random = rng_for(5, "prototypes")
    number = EXPRESSIONS.index(expression)
    drawn = [sample_expression(random, number).action_units for _ in range(200)]
    resting = [sample_expression(random, 0).action_units for _ in range(200)]
    for unit in units:
        assert np.mean([d[unit] for d in drawn]) > np.mean([d[unit] for d in resting]) + 0.2


def test_expressiveness_is_seen_and_changes_no_label() -> None:
    plain, subtle = (render_face(1, 17, 1, SIZE, expressiveness) for expressiveness in (1.0, 0.5))
    assert (subtle.expression, subtle.valence, subtle.arousal) == (plain.expression, plain.valence, plain.arousal)
    assert subtle.action_units["AU12L"] == pytest.approx(plain.action_units["AU12L"] / 2)
    assert np.abs(subtle.landmarks - plain.landmarks).max() > 0.5


def test_contempt_is_one_sided_and_takes_either_side() -> None:
    random = rng_for(5, "contempt")
    differences = []
    for _ in range(200):
        units = sample_expression(random, EXPRESSIONS.index("contempt")).action_units
        left, right = units["AU12L"] + units["AU14L"], units["AU12R"] + units["AU14R"]
        assert min(left, right) <= 0.25 * max(left, right)
        differences.append(left > right)
    assert 60 < sum(differences) < 140


@pytest.mark.parametrize(
    ("expression", "unit", "label"), [("happy", "AU12L", 0), ("surprise", "AU5", 1), ("sad", "AU15", 0)]
)
def test_intensity_follows_valence_and_arousal_within_a_class(expression: str, unit: str, label: int) -> None:
    random = rng_for(5, "within")
    drawn = [sample_expression(random, EXPRESSIONS.index(expression)) for _ in range(300)]
    labels = [(affect.valence, affect.arousal)[label] for affect in drawn]
    intensities = [affect.action_units[unit] for affect in drawn]
    assert abs(np.corrcoef(labels, intensities)[0, 1]) > 0.5


def test_every_action_unit_moves_its_own_landmarks() -> None:
    displacements = [moved(**{unit: 1.0}) for unit in ACTION_UNITS]
    for unit, displacement in zip(ACTION_UNITS, displacements, strict=True):
        assert np.abs(displacement).max() > 0.04, unit
    distinct = {np.round(displacement, 6).tobytes() for displacement in displacements}
    assert len(distinct) == len(ACTION_UNITS)


@pytest.mark.parametrize(
    ("unit", "up", "down"),
    [
        ("AU1", [21, 22], []),
        ("AU2", [17, 18, 25, 26], []),
        ("AU4", [], [21, 22]),
        ("AU5", [37, 38, 43, 44], []),
        ("AU6", [40, 41, 46, 47], []),
        ("AU7", [40, 41, 46, 47], [37, 38, 43, 44]),
        ("AU9", [31, 35, 50, 52], [21, 22]),
        ("AU10", [50, 51, 52], []),
        ("AU12L", [54, 64], []),
        ("AU12R", [48, 60], []),
        ("AU15", [], [48, 54]),
        ("AU17", [57, 8], []),
        ("AU25", [62], [66, 57]),
        ("AU26", [], [66, 57, 8]),
        ("AU27", [], [66, 57, 8]),
        ("AU43", [], [37, 38, 43, 44]),
    ],
)
def test_action_units_pull_as_facs_describes(unit: str, up: list[int], down: list[int]) -> None:
    vertical = moved(**{unit: 1.0})[:, 1]
    assert (vertical[up] < -0.015).all()
    assert (vertical[down] > 0.015).all()


def test_lip_corners_stretch_and_tighten_sideways() -> None:
    assert moved(AU20=1.0)[54, 0] > 0.1 > -0.1 > moved(AU20=1.0)[48, 0]
    assert moved(AU23=1.0)[54, 0] < 0 < moved(AU23=1.0)[48, 0]
    assert moved(AU14L=1.0)[54, 0] > 0.05


@pytest.mark.parametrize("unit", ["AU12", "AU14"])
def test_one_sided_units_leave_the_other_corner_alone(unit: str) -> None:
    left, right = moved(**{f"{unit}L": 1.0}), moved(**{f"{unit}R": 1.0})
    assert np.abs(left[54]).max() > 0.05
    np.testing.assert_array_equal(left[48], 0)
    np.testing.assert_allclose(right, left[MIRROR] * (-1, 1), atol=1e-12)


def test_closed_lids_and_lips_never_cross() -> None:
    random = rng_for(5, "crossing")
    for _ in range(50):
        units = dict(zip(ACTION_UNITS, random.uniform(0, 1, len(ACTION_UNITS)), strict=True))
        shape = move(resting_shape(sample_identity(random)), units)
        for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46), (61, 67), (62, 66), (63, 65)):
            assert shape[upper, 1] <= shape[lower, 1] + 1e-9


def test_projection_and_its_inverse_agree() -> None:
    # The picture is looked up by the inverse, the landmarks are projected: they must meet.
    camera = Camera(Pose(0.4, -0.2, 0.25), 30.0, (50.0, 45.0), 128)
    frontal = camera.frontal_map()
    for point in MEAN_FACE[17:68]:
        x, y = camera.project(point)
        found = frontal[round(y), round(x)]
        exact = camera.project(found.astype(float))
        assert np.hypot(*(exact - (round(x), round(y)))) < 1.5


def test_nose_stands_out_and_turns_with_the_head() -> None:
    assert depth(MEAN_FACE[30]) > depth(MEAN_FACE[27]) > depth(MEAN_FACE[0])
    turned = Camera(Pose(0.3, 0.0, 0.0), 1.0, (0.0, 0.0), 1).project(MEAN_FACE)
    assert turned[30, 0] - turned[[0, 16], 0].mean() > 0.2
    raised = Camera(Pose(0.0, 0.3, 0.0), 1.0, (0.0, 0.0), 1).project(MEAN_FACE)
    assert raised[30, 1] - raised[27, 1] < MEAN_FACE[30, 1] - MEAN_FACE[27, 1]


def test_landmarks_lie_mostly_inside_the_picture(faces: list[Face]) -> None:
    landmarks = np.stack([face.landmarks for face in faces])
    inside = np.asarray((landmarks >= 0) & (landmarks <= SIZE - 1)).all(axis=2)
    assert np.mean(inside) > 0.95
    assert np.mean(np.asarray(inside)[:, 27:68]) > 0.98
    assert (np.ptp(landmarks[..., 1], axis=1) > SIZE * 0.4).all()


@pytest.fixture
def pose_as(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Face]:
    """Draws the same person from the front, in the same light, with the muscles that the test contracts."""
    front = Camera(Pose(0.0, 0.0, 0.0), 0.36 * SIZE, (0.5 * SIZE, 0.36 * SIZE), SIZE)
    monkeypatch.setattr(face_module, "frame_face", lambda *_: front)
    monkeypatch.setattr(face_module, "occlude", lambda *_: None)
    monkeypatch.setattr(face_module, "develop", lambda _, image: image)

    def draw(face_id: int, **units: float) -> Face:
        affect = ShownExpression(0.0, 0.0, dict.fromkeys(ACTION_UNITS, 0.0) | units)
        monkeypatch.setattr(face_module, "sample_expression", lambda *_: affect)
        return render_face(8, face_id, 0, SIZE)

    return draw


def test_landmarks_mark_the_features_in_the_picture(pose_as: Callable[..., Face]) -> None:
    # Eyes and lips have edges, skin is smooth: landmarks that slipped would lose the difference.
    def contrast(face: Face, shift: float) -> float:
        grey = cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY).astype(float)
        points = face.landmarks + np.array([0, shift * SIZE])
        return float(np.mean([grey[patch(points[k], 2)].std() for k in (37, 38, 43, 44, 61, 62, 63)]))

    drawn = [pose_as(face_id) for face_id in range(30)]
    sharper = [contrast(face, 0.0) > contrast(face, 0.1) for face in drawn]
    assert np.mean(sharper) > 0.85


@pytest.mark.parametrize(
    ("units", "near", "far"),
    [
        ({"AU4": 1.0}, 27, 57),
        ({"AU9": 1.0}, 27, 8),
        ({"AU17": 1.0}, 57, 27),
        ({"AU25": 1.0, "AU10": 1.0}, 62, 27),
    ],
)
def test_action_units_show_where_they_act(
    pose_as: Callable[..., Face], units: dict[str, float], near: int, far: int
) -> None:
    shown = []
    for face_id in range(12):
        rest, acting = pose_as(face_id), pose_as(face_id, **units)
        change = np.abs(rest.image.astype(float) - acting.image).mean(axis=2)
        shown.append(change[patch(rest.landmarks[near])].mean() > change[patch(rest.landmarks[far])].mean())
    assert np.mean(shown) > 0.7


def test_a_one_sided_smile_changes_its_own_side_of_the_picture(pose_as: Callable[..., Face]) -> None:
    changes = []
    for face_id in range(10):
        rest, smile = pose_as(face_id), pose_as(face_id, AU12L=0.6)
        change = np.abs(rest.image.astype(float) - smile.image).mean(axis=2)
        right, left = (change[patch(rest.landmarks[corner])].mean() for corner in (48, 54))
        changes.append(left > 2 * right)
    assert np.mean(changes) > 0.8


def patch(point: np.ndarray, reach: int = 7) -> tuple[slice, slice]:
    """ArrayFile and columns around a position (x, y)."""
    x, y = (min(max(round(v), reach), SIZE - reach) for v in point)
    return slice(y - reach, y + reach), slice(x - reach, x + reach)


@pytest.mark.parametrize(
    ("attribute", "room", "painter"),
    [
        ("glasses", face_module.features, "paint_glasses"),
        ("headwear", face_module.head, "paint_headwear"),
        ("facial_hair", face_module.head, "paint_facial_hair"),
    ],
)
def test_an_attribute_is_none_where_nothing_of_it_is_painted(
    monkeypatch: pytest.MonkeyPatch, attribute: str, room: object, painter: str
) -> None:
    before = [render_face(3, face_id, 0, SIZE) for face_id in range(40)]
    monkeypatch.setattr(room, painter, lambda *_: None)
    for face_id, face in enumerate(before):
        is_painted = (render_face(3, face_id, 0, SIZE).image != face.image).any()
        assert is_painted == (face.attributes[attribute] != "none"), face_id
    assert len({face.attributes[attribute] for face in before}) >= 3


def test_yaw_is_the_angle_by_which_the_head_is_turned(faces: list[Face]) -> None:
    yaw = [float(face.attributes["yaw"]) for face in faces]
    beside = [
        (face.landmarks[30, 0] - face.landmarks[[0, 16], 0].mean()) / np.ptp(face.landmarks[:, 0]) for face in faces
    ]
    assert np.corrcoef(yaw, beside)[0, 1] > 0.9
    assert 20 < max(yaw) < 30


def test_skin_tones_are_in_the_order_of_their_light(pose_as: Callable[..., Face]) -> None:
    drawn = [pose_as(face_id) for face_id in range(60)]
    light = {
        tone: np.mean([f.image[patch(f.landmarks[30])].mean() for f in drawn if f.attributes["skin_tone"] == tone])
        for tone in ("light", "medium", "dark")
    }
    assert light["light"] > light["medium"] + 10 > light["dark"] + 20


def test_looks_do_not_tell_the_expression(faces: list[Face]) -> None:
    # Corners of the picture show hair, clothes and background: they must not differ between classes.
    corners = np.array([face.image[:12, :12].mean() for face in faces]).reshape(-1, 8)
    spread = corners.std() / np.sqrt(len(corners))
    assert np.abs(corners.mean(axis=0) - corners.mean()).max() < 4 * spread
