"""Model file formats, read without the libraries that write them: headers only, in constant memory."""
