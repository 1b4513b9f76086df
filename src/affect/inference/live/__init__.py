"""A camera's picture with faces and values, on a page that this machine serves."""

from affect.inference.live.camera import open_camera
from affect.inference.live.newest import Newest
from affect.inference.live.server import serve
from affect.inference.live.watching import Moment, watch

__all__ = ["Moment", "Newest", "open_camera", "serve", "watch"]
