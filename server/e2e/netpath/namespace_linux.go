package netpath

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	tunDevice  = "/dev/net/tun"
	deviceName = "path0"
	// An Ethernet's, which browsers take for granted.
	deviceMTU = "1500"
)

// A Namespace is one end of a Path.
type Namespace struct {
	Name string
	Addr netip.Addr

	made bool
}

// Wrap makes cmd run in the namespace. Call it before cmd.Start.
func (n *Namespace) Wrap(cmd *exec.Cmd) error {
	ip, err := exec.LookPath("ip")
	if err != nil {
		return err
	}
	cmd.Args = append([]string{"ip", "netns", "exec", n.Name, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = ip
	return nil
}

// Dial connects from inside the namespace. The address is an IP literal.
func (n *Namespace) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	err := n.inside(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// ListenPacket listens inside the namespace. The address is an IP literal.
func (n *Namespace) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	var conn net.PacketConn
	err := n.inside(func() (err error) {
		conn, err = new(net.ListenConfig).ListenPacket(ctx, network, address)
		return err
	})
	return conn, err
}

// create makes the namespace and its end of the path.
func (n *Namespace) create() (*os.File, error) {
	if err := ip("netns", "add", n.Name); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotAllowed, err)
	}
	n.made = true
	var device *os.File
	err := n.inside(func() (err error) {
		device, err = openTUN()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotAllowed, err)
	}
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		// No IPv6 address of its own, so that the kernel sends nothing by itself.
		{"link", "set", deviceName, "addrgenmode", "none"},
		{"addr", "add", n.Addr.String() + "/24", "dev", deviceName},
		{"link", "set", deviceName, "mtu", deviceMTU, "up"},
		{"route", "add", "default", "dev", deviceName},
	} {
		if err := ip(append([]string{"-n", n.Name}, args...)...); err != nil {
			device.Close()
			return nil, err
		}
	}
	return device, nil
}

func (n *Namespace) remove() error {
	if !n.made {
		return nil
	}
	n.made = false
	return ip("netns", "del", n.Name)
}

// inside runs f on a thread that is in the namespace. A socket or device made
// there stays there. A thread that can't come back is thrown away.
func (n *Namespace) inside(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			result <- err
			return
		}
		defer home.Close()
		there, err := os.Open("/run/netns/" + n.Name)
		if err != nil {
			result <- err
			return
		}
		defer there.Close()
		if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
			result <- fmt.Errorf("enter %s: %w", n.Name, err)
			return
		}
		err = f()
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		result <- err
	}()
	return <-result
}

// ifreq is struct ifreq of TUNSETIFF (linux/if_tun.h).
type ifreq struct {
	name  [unix.IFNAMSIZ]byte
	flags uint16
	_     [22]byte
}

func openTUN() (*os.File, error) {
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", tunDevice, err)
	}
	req := ifreq{flags: unix.IFF_TUN | unix.IFF_NO_PI}
	copy(req.name[:], deviceName)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(&req))); errno != 0 {
		unix.Close(fd)
		return nil, fmt.Errorf("TUNSETIFF: %w", errno)
	}
	// Nonblocking, so that Close wakes a reader.
	return os.NewFile(uintptr(fd), deviceName), nil
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
