#!/bin/sh
# The record stays until somebody takes it away; purging does.
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
if [ "$1" = purge ]; then
  rm -rf /var/lib/parley
  if getent passwd parley >/dev/null; then userdel parley; fi
fi
