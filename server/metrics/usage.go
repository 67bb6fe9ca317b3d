package metrics

import (
	"runtime"
	"sync"
	"time"

	"parley/shared/rest"
)

// cpuSpan is over how long the share of the processors is taken at least.
const cpuSpan = 2 * time.Second

// usageMeter tells what the process takes of its machine. The zero value is ready.
type usageMeter struct {
	mu        sync.Mutex
	at        time.Time
	used      time.Duration
	ratio     float64
	udpErrors int64 // before the first reading
}

// MachineUsage is what the process takes of its machine, and what UDP lost there.
func (m *Metrics) MachineUsage() rest.MachineUsage { return m.usage.read(time.Now()) }

func (u *usageMeter) read(now time.Time) rest.MachineUsage {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch used := processTime(); {
	case u.at.IsZero():
		u.at, u.used, u.udpErrors = now, used, udpErrors()
	case now.Sub(u.at) >= cpuSpan:
		u.ratio = roundFigure((used - u.used).Seconds() / now.Sub(u.at).Seconds() / float64(runtime.NumCPU()))
		u.at, u.used = now, used
	}
	return rest.MachineUsage{CPU: u.ratio, ResidentBytes: residentBytes(), UDPErrors: max(0, udpErrors()-u.udpErrors)}
}
