"""The people who can sign in at the sandbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """One account of the identity provider; ``sub`` never changes between two starts."""

    key: str
    sub: str
    given_name: str
    family_name: str
    role: str
    organisation: str
    groups: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def email(self) -> str:
        return f"{self.key}@{self.organisation}.example.org"


PEOPLE: tuple[Person, ...] = (
    Person(
        "ada",
        "6f0f4c1e-5b1a-4f57-9d2b-0a1c7a2e1001",
        "Ada",
        "Lovelace",
        "researcher",
        "indigo-dc",
        ("ml-users", "ml-users/vision"),
    ),
    Person(
        "ben",
        "6f0f4c1e-5b1a-4f57-9d2b-0a1c7a2e1002",
        "Ben",
        "Okafor",
        "colleague",
        "indigo-dc",
        ("ml-users",),
    ),
    Person(
        "mallory",
        "6f0f4c1e-5b1a-4f57-9d2b-0a1c7a2e1003",
        "Mallory",
        "Stone",
        "stranger from another laboratory",
        "other-lab",
        ("physics",),
    ),
    Person(
        "nora",
        "6f0f4c1e-5b1a-4f57-9d2b-0a1c7a2e1004",
        "Nora",
        "Lindqvist",
        "newcomer, member of no group",
        "indigo-dc",
    ),
    Person(
        "grace",
        "6f0f4c1e-5b1a-4f57-9d2b-0a1c7a2e1005",
        "Grace",
        "Hopper",
        "curator",
        "indigo-dc",
        ("ml-users", "deepdash-curators"),
    ),
    Person(
        "olu",
        "6f0f4c1e-5b1a-4f57-9d2b-0a1c7a2e1006",
        "Olu",
        "Adeyemi",
        "researcher with twenty providers",
        "indigo-dc",
        ("ml-users", "federation"),
    ),
)

BY_KEY: dict[str, Person] = {person.key: person for person in PEOPLE}
BY_SUB: dict[str, Person] = {person.sub: person for person in PEOPLE}
