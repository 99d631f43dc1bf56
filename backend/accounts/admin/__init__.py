"""People, organizations and credentials in the Django admin, for platform admins."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.admin import credentials as credentials
from accounts.admin import organizations as organizations
from accounts.admin import people as people
from accounts.admin import system as system
from accounts.admin_login import AdminLoginForm

admin.site.login_form = AdminLoginForm

# Roles are the policy's, not Django's groups. What makes codes is nobody's to look at.
for model in (Group, StaticDevice, TOTPDevice):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
