// Package systemd speaks with the service manager that started the server: it takes
// the sockets that it listens on already (sd_listen_fds), and tells it what the
// server is doing (sd_notify). Without a service manager both do nothing.
package systemd

import (
	"fmt"
	"net"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// Listeners returns the TCP and Unix sockets that were handed over, by their
// FileDescriptorName. Who asks a second time gets none.
func Listeners() (map[string]net.Listener, error) {
	named, err := activation.ListenersWithNames()
	if err != nil {
		return nil, fmt.Errorf("sockets of the service manager: %w", err)
	}
	listeners := make(map[string]net.Listener, len(named))
	for name, all := range named {
		if len(all) != 1 {
			return nil, fmt.Errorf("the service manager hands over %d sockets named %s: have one", len(all), name)
		}
		listeners[name] = all[0]
	}
	return listeners, nil
}

// NotifyReady tells that the server serves, for the first time or again.
func NotifyReady() { notify(daemon.SdNotifyReady) }

// NotifyReloading tells that files are read again; NotifyReady ends it.
func NotifyReloading() {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return
	}
	notify(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/int64(time.Microsecond)))
}

// NotifyStopping tells that the server ends.
func NotifyStopping() { notify(daemon.SdNotifyStopping) }

// NotifyAlive tells that the server lives, which a watchdog waits for.
func NotifyAlive() { notify(daemon.SdNotifyWatchdog) }

// WatchdogInterval returns how often NotifyAlive is to be called: twice as often as
// the service manager wants to hear of it. Zero means never.
func WatchdogInterval() time.Duration {
	timeout, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0
	}
	return timeout / 2
}

// notify leaves the environment as it is. A service manager that is not there
// to listen is none of the server's faults.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }
