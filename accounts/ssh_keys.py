"""Public SSH keys as people paste them: one line of type, key and comment (RFC 4253, section 6.6; RFC 8709)."""

import binascii
import re
from base64 import b64decode

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MAX_CHARS = 4000
_TYPES = r"ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com"
_KEY = re.compile(rf"({_TYPES}) ([A-Za-z0-9+/]+={{0,2}})(?: [^\0-\x1f\x7f]*)?")


def clean_public_key(text: str) -> str:
    """The key on one line, "" for nothing. Raises ValidationError when it is none, or a private one."""
    text = " ".join(text.split())
    if not text:
        return ""
    if "PRIVATE KEY" in text:
        raise ValidationError(
            _("This is the private key, which stays with you. Paste the public one, from the .pub file.")
        )
    found = _KEY.fullmatch(text)
    if found is None or not _names_its_type(found[2], found[1]):
        raise ValidationError(_("This is not a public SSH key: one begins with its type, such as ssh-ed25519."))
    return text


def _names_its_type(packed: str, type: str) -> bool:
    """Whether the key itself is of the type that is written before it, so that half a key is found out."""
    try:
        data = b64decode(packed, validate=True)
    except binascii.Error:
        return False
    length = int.from_bytes(data[:4], "big")
    return data[4 : 4 + length] == type.encode() and len(data) > 4 + length
