"""Creates, reads, changes and deletes resources on an emulator, by their types' descriptions."""
