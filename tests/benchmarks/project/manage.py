"""The usual manage.py; the caller sets DJANGO_SETTINGS_MODULE and PYTHONPATH."""

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    execute_from_command_line()
