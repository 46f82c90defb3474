"""`python -m hatch_wallaroo`: the command `hatch-wallaroo` of this very Python."""

from hatch_wallaroo.cli import main

if __name__ == "__main__":
    main()
