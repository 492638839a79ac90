"""Passwords as rclone writes them into its configuration (``rclone obscure``).

AES-256 in counter mode under a key that rclone publishes in its source (``fs/config/obscure``), after a random
initialisation vector, in base64 for addresses without padding. That is no encryption, as rclone says itself: it only
keeps a password from being read over somebody's shoulder. Who holds the text holds the password.
"""

import os
from base64 import b64decode, urlsafe_b64encode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_KEY = bytes.fromhex("9c935b48730a554d6bfd7c63c886a92bd390198eb8128afbf4de162b8b95f638")
_IV_BYTES = 16
_LEAST_CHARS = 6  # of a password that is told from chance


def obscure(password: str, *, iv: bytes | None = None) -> str:
    """The password as rclone expects it; ``iv`` (16 bytes) only to get the same text again."""
    iv = iv or os.urandom(_IV_BYTES)
    encryptor = Cipher(algorithms.AES256(_KEY), modes.CTR(iv)).encryptor()
    return urlsafe_b64encode(iv + encryptor.update(password.encode()) + encryptor.finalize()).rstrip(b"=").decode()


def obscured_once(typed: str) -> str:
    """What was typed, obscured unless it is so already: people used to do that by hand, as rclone asked them to.

    Told by what is under it. Anything that is base64 can be read as obscured, but chance seldom makes letters of it.
    """
    return typed if _is_obscured(typed) else obscure(typed)


def _is_obscured(text: str) -> bool:
    try:
        packed = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        iv, rest = packed[:_IV_BYTES], packed[_IV_BYTES:]
        if len(rest) < _LEAST_CHARS:
            return False
        decryptor = Cipher(algorithms.AES256(_KEY), modes.CTR(iv)).decryptor()
        return (decryptor.update(rest) + decryptor.finalize()).decode().isprintable()
    except ValueError:  # no base64, or no text under it
        return False
