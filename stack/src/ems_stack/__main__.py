"""`python -m ems_stack`."""

from ems_stack.main import main

if __name__ == "__main__":
    main()
