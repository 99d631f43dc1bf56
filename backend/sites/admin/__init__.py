"""Sites and what is on them in the Django admin, for platform admins."""

from sites.admin import field as field
from sites.admin import people as people
from sites.admin import sites as sites
