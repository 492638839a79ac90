"""Storage accounts: WebDAV credentials that a user saves once and chooses in the form."""
