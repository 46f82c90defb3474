"""Container images: built, tried and pushed by whatever engine the docker SDK reaches."""
