"""The MLOps API of a Wallaroo platform: settings, transport, authentication, models and workspaces."""
