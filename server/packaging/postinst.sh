#!/bin/sh
# Makes the user that the server runs as, and its directories; starts nothing that
# was not started before.
set -e
if ! getent passwd parley >/dev/null; then
  useradd --system --user-group --home-dir /var/lib/parley --no-create-home --shell /usr/sbin/nologin parley
fi
install -d -m 0700 -o parley -g parley /var/lib/parley
chown root:parley /etc/parley/parley.env
chmod 0640 /etc/parley/parley.env
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart parley.service
fi
