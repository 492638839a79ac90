"""The sandbox with a crowd: two hundred more people who can sign in, for ``benchmarks.load``."""

import uuid

from sandbox.people import BY_KEY, BY_SUB, Person

PEOPLE = 200
NAMES = [f"u{number:03d}" for number in range(PEOPLE)]

for name in NAMES:
    sub = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.example.org"))
    person = Person(name, sub, name.capitalize(), "Example", "researcher", "indigo-dc", ("ml-users",))
    BY_KEY[name] = BY_SUB[sub] = person

if __name__ == "__main__":
    from sandbox.__main__ import main

    main()
