"""`/verify/…`: the programs by which anyone checks a draw and a receipt on a machine of their own."""

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

NAMES = ("verify_draw.py", "check_receipt.py")
_FOLDER = settings.BASE_DIR / "sdk" / "verifier"


@require_safe
def verifier(request: HttpRequest, name: str) -> FileResponse:
    """One of the programs, as it is; 404 for any other name."""
    if name not in NAMES:
        raise Http404
    file = (_FOLDER / name).open("rb")
    return FileResponse(file, as_attachment=True, filename=name, content_type="text/x-python; charset=utf-8")
