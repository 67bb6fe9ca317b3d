package privacy

import (
	"maps"
	"slices"

	"parley/shared/rest"
)

// Examples that show what masking does; the addresses are those that RFC 5737
// and RFC 3849 keep for documents, the number one that is nobody's.
const (
	sampleIPv4  = "203.0.113.7"
	sampleIPv6  = "2001:db8:1:2::7"
	sampleEmail = "ada@example.com"
	samplePhone = "+12025550134"
)

// Status is the state of protection, with the evidence. Retention and
// confinement are others' to fill in.
func (p *Privacy) Status() rest.Privacy {
	p.mu.Lock()
	defer p.mu.Unlock()
	refused := p.refusedLocked()
	status := rest.Privacy{
		PrivacyMode: p.on.Load(),
		Protection:  "active",
		CheckedAt:   p.checkedAt,
		Audio: rest.AudioGuard{
			Attempts: p.allowed + refused, Allowed: p.allowed, Blocked: refused, ByKind: maps.Clone(p.byKind), Held: len(p.holds),
		},
		Masking: p.examples(),
		Blocked: slices.Clone(p.blocked),
	}
	if p.failure != nil {
		status.Protection = "failed"
	}
	slices.Reverse(status.Blocked)
	if status.Blocked == nil {
		status.Blocked = []rest.BlockedOperation{}
	}
	return status
}

func (p *Privacy) examples() []rest.Masked {
	return []rest.Masked{
		{Kind: "ip", Before: sampleIPv4, After: p.Address(sampleIPv4)},
		{Kind: "ip", Before: sampleIPv6, After: p.Address(sampleIPv6)},
		{Kind: "email", Before: sampleEmail, After: p.Email(sampleEmail)},
		{Kind: "phone", Before: samplePhone, After: p.Phone(samplePhone)},
	}
}
