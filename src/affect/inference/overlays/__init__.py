"""What was predicted, drawn onto pictures and videos and shown on a page."""

from affect.inference.overlays.annotating import annotate
from affect.inference.overlays.outputs import require_outputs
from affect.inference.overlays.page import write_video_page

__all__ = ["annotate", "require_outputs", "write_video_page"]
