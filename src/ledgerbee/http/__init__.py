"""The HTTP face that all operations share: wire types, the operation decorator, the error envelope."""
