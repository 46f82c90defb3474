"""Folders that `save_pretrained` wrote: Hugging Face pipelines, diffusion, language models."""
