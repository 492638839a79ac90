"""The stand-in of a user's storage."""

import pytest
import requests

from sandbox.storage import APP_PASSWORD
from sandbox.testing import SandboxThread


@pytest.mark.parametrize(
    ("method", "user", "password", "status"),
    [
        ("PROPFIND", "ada", f"{APP_PASSWORD}ada", 207),
        ("PROPFIND", "ada", "guessed", 401),
        ("PROPFIND", "ben", f"{APP_PASSWORD}ben", 401),
        ("PROPFIND", "nobody", f"{APP_PASSWORD}nobody", 401),
        ("GET", "ada", f"{APP_PASSWORD}ada", 405),
    ],
)
def test_adas_folder_is_for_ada(sandbox: SandboxThread, method: str, user: str, password: str, status: int) -> None:
    url = f"{sandbox.url}/storage/remote.php/dav/files/ada/"
    answer = requests.request(method, url, auth=(user, password), headers={"Depth": "0"}, timeout=10)
    assert answer.status_code == status
