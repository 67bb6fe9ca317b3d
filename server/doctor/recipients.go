package doctor

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Recipient is whom a server sends to by itself: mail, logs, traces.
type Recipient struct {
	Name    string // of the check
	Address string // host and port
	Act     string // for when it can't be reached
}

// recipients take connections. Calls work without them, so that none is a fault.
func (x *examination) recipients(ctx context.Context) []Finding {
	found := make([]Finding, len(x.Recipients))
	var asking sync.WaitGroup
	for i, r := range x.Recipients {
		asking.Go(func() { found[i] = r.examine(ctx) })
	}
	asking.Wait()
	return found
}

func (r Recipient) examine(ctx context.Context) Finding {
	dialer := net.Dialer{Timeout: answerTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", r.Address)
	if err != nil {
		return Finding{r.Name, Warning, fmt.Sprintf("%s can't be reached: %v.", r.Address, withoutPath(err)), r.Act}
	}
	_ = conn.Close() // nothing was said
	return Finding{r.Name, OK, fmt.Sprintf("%s takes connections; whether it takes what is sent shows when something is.", r.Address), ""}
}
