"""The pages under docs/reference/, each made from what the code declares: a module a page, with its `markdown()`."""
