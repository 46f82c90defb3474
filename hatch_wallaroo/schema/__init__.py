"""Schemas: the tensor notation, Arrow, and the base64 IPC that the platform takes."""
