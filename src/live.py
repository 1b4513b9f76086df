"""Show a camera's picture with faces, expressions, valence and arousal, on a page of this machine.

    python src/live.py models/efficientnetb1.keras
    python src/live.py models/efficientnetb1.keras --camera VIDEO.mp4

It prints the page's address; Ctrl-C ends it. No picture is stored, and only this machine can open the page, unless
--host says otherwise: then the address has a token, without which nothing is shown.
"""

import argparse
from pathlib import Path

from affect.inference import FacePredictor
from affect.inference.live import Moment, Newest, open_camera, serve, watch
from affect.plumbing.stage import printable, run_command

HIGHEST_PORT = 65535


def main() -> None:
    """Run the command."""
    options = parse_command()
    shown = Newest[Moment]()
    # Before the network, which takes seconds: a camera or port that can't be had is said at once.
    with open_camera(options.camera) as frames, serve(shown, options.host, options.port) as url:
        predictor = FacePredictor(options.model)
        if options.model.suffix == ".keras":
            print("live: runs through Keras; a file of `python src/export.py` is several times as fast")
        print(printable(f"live: {url}"), flush=True)
        watch(predictor, frames, shown)


def parse_command() -> argparse.Namespace:
    """Parse the command line."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("model", type=Path, help="a .keras file that train has written, or a file of export.py")
    command.add_argument(
        "--camera", default="0", metavar="NUMBER|FILE", help="a camera's number, or a video that stands in for one; 0"
    )
    command.add_argument("--port", type=port, default=8350, help="of the page; 0 for any that is free; 8350")
    command.add_argument("--host", default="127.0.0.1", help="the address to serve on; this machine alone")
    return command.parse_args()


def port(text: str) -> int:
    """Return the number of a port."""
    number = int(text)
    if not 0 <= number <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{number} is not a port, 0 to {HIGHEST_PORT}")
    return number


if __name__ == "__main__":
    run_command(main)
