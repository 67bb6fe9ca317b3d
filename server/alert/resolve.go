package alert

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"parley/server/fault"
	"parley/shared/rest"
)

// resolveTimeout bounds how long an admin who enters a webhook waits for DNS.
const resolveTimeout = 3 * time.Second

// Resolver looks names up. A *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// checkNewWebhooks resolves the hosts of webhooks that aren't set yet: an admin learns of
// a wrong name when it is entered, not when the first alert is lost. Webhooks
// that are set are left alone, so that rules can be changed while DNS is away.
func (a *Alerts) checkNewWebhooks(ctx context.Context, hooks []rest.Webhook, isSet func(rest.Webhook) bool) error {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	faults := make([]error, len(hooks))
	var running sync.WaitGroup
	for i, hook := range hooks {
		if _, isMail := mailTo(hook.URL); isMail || isSet(hook) {
			continue
		}
		running.Go(func() {
			if err := a.checkHost(ctx, hook.URL); err != nil {
				faults[i] = &fault.BadField{Field: fmt.Sprintf("webhooks[%d].url", i), Detail: err.Error()}
			}
		})
	}
	running.Wait()
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkHost says what is wrong with the addresses that a host has now. One that
// is refused is enough: nobody can tell which of them would be connected to.
func (a *Alerts) checkHost(ctx context.Context, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("not a web address")
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil // CheckURL has looked at it
	}
	addresses, err := a.cfg.Resolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil || len(addresses) == 0 {
		return errors.New("its host can't be resolved: mend the name, or try again when DNS answers")
	}
	for _, ip := range addresses {
		if err := allowedAddresses(a.cfg.AllowPrivate).CheckIP(ip); err != nil {
			return fmt.Errorf("its host leads to what is %w", err)
		}
	}
	return nil
}
