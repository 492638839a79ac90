"""What every template may use."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from deepdash.config import config
from deepdash.logs import request_id

THEMES = ("system", "light", "dark")


def site(request: HttpRequest) -> dict[str, Any]:
    """``site``: facts of this installation, and the reader's theme from its cookie."""
    theme = request.COOKIES.get("theme", "system")
    return {
        "site": {
            "support_email": config.SUPPORT_EMAIL,
            "links": [
                {"url": link["url"], "name": link.get("menu_item_name") or link["url"]}
                for link in config.EXTERNAL_LINKS
                if link.get("url", "").startswith(("https://", "http://"))
            ],
            "sandbox_url": config.SANDBOX_URL,
            "iam_url": config.IAM_BASE_URL,
            "mail": bool(config.EMAIL_URL),
            "request_id": request_id.get(),
            "theme": theme if theme in THEMES else "system",
            "themes": [("system", _("System")), ("light", _("Light")), ("dark", _("Dark"))],
        }
    }
