"""What every page needs: drawing, redirecting, reading a form, and the walls around a request."""

from backend.core.web import draw
from backend.core.web.draw import redirect, render, render_error, templates, url
from backend.core.web.reading import Submitted, Typed, faults_of, read, typed_before

__all__ = [
    "Submitted",
    "Typed",
    "draw",
    "faults_of",
    "read",
    "redirect",
    "render",
    "render_error",
    "templates",
    "typed_before",
    "url",
]
