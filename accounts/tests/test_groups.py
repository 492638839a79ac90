from typing import Any

import pytest

from accounts.groups import groups_from_claims
from accounts.models import User
from deepdash.config import Config

NAMES = Config.model_fields["IAM_GROUP_CLAIMS"].default


@pytest.mark.parametrize(
    ("claims", "groups"),
    [
        ({"groups": ["ml-users", "ml-users/vision"]}, ["ml-users", "ml-users/vision"]),
        ({}, []),
        ({"groups": []}, []),
        ({"groups": None}, []),
        ({"wlcg.groups": ["/wlcg", "/wlcg/pilots"]}, ["wlcg", "wlcg/pilots"]),
        ({"groups": [], "wlcg.groups": ["/wlcg"]}, ["wlcg"]),
        ({"groups": ["a"], "wlcg.groups": ["/b"]}, ["a"]),
        ({"entitlements": ["urn:geant:iam.example:group:ml-users:vision#iam.example"]}, ["ml-users/vision"]),
        ({"entitlements": ["urn:mace:egi.eu:group:vo.example.org:role=member#aai.egi.eu"]}, ["vo.example.org"]),
        ({"eduperson_entitlement": ["urn:geant:x:group:b%C3%A4r%20group#x"]}, ["bär group"]),
        ({"entitlements": ["urn:geant:x:res:storage#x", "plain"]}, ["plain"]),
        ({"roles": ["trainer", "trainer"]}, ["trainer"]),
        ({"groups": "single"}, ["single"]),
        ({"groups": {"a": 1}}, []),
        ({"groups": [1, None, "", "/", "ok\x00"]}, ["ok"]),
        ({"groups": ["x" * 256, "y" * 255]}, ["y" * 255]),
    ],
)
def test_groups_come_from_whatever_claim_the_profile_uses(claims: dict[str, Any], groups: list[str]) -> None:
    assert groups_from_claims(claims, NAMES) == groups


def test_membership_is_exact() -> None:
    user = User(groups=["ml-users", "ml-users/vision"])

    assert user.in_groups(["physics", "ml-users"])
    assert user.in_groups(["/ml-users/vision"])
    assert not user.in_groups(["ml"])
    assert not user.in_groups([])
    assert user.missing_groups(["ml-users", "physics", "ML-USERS"]) == ["physics", "ML-USERS"]
    assert user.missing_groups([]) == []
