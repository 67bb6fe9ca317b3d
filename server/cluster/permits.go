package cluster

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/server/session"
	"parley/server/settings"
	"parley/server/store"
)

const (
	// blockShare and maxBlock size what is fetched at once of a cap that many share: on
	// every node one block may lie unused, together an eighth of the cap; and no more
	// than a second's calls of a busy node.
	blockShare = 8
	maxBlock   = 128
	// userKeep is how long a node keeps the permit of a user who has no call anymore: who
	// calls again within it costs no question.
	userKeep = 15 * time.Second
	// admitPatience bounds what a caller waits for places that others have to grant.
	admitPatience = 2 * time.Second
	// othersPatience is how long others have to give back what they hold unused.
	othersPatience = 250 * time.Millisecond
	// syncAtOnce is how many caps one transaction is about, so that none takes long.
	syncAtOnce = 200
	// askOthersEvery is how often at most they are asked for one cap: who is told that all
	// is taken needn't hear it from everybody.
	askOthersEvery = time.Second
	// noCap stands for the cap of an organization that has none.
	noCap = 1 << 30
	// unavailableRetry is when to ask again while nobody can grant a place: in that time
	// a lease is renewed, or taken anew.
	unavailableRetry = RenewEvery
)

// PermitRecord is where permits are granted: *store.Store.
type PermitRecord interface {
	SyncPermits(ctx context.Context, id uint16, epoch int64, demands []store.PermitDemand) ([]store.PermitGrant, error)
	PermitsOf(ctx context.Context, of []store.PermitDemand) ([]store.PermitHolding, error)
}

// Others are the other nodes, as far as they can be spoken to. Without them a node waits
// for what they give back by themselves.
type Others interface {
	// GiveBack has them give back what they hold unused of a cap, and returns when they
	// have, or ctx is over.
	GiveBack(ctx context.Context, scope store.PermitScope, key string)
	// Replace has the one that has a call of this user, by the key of permits, end it as
	// replaced; it reports whether one did.
	Replace(ctx context.Context, key string) bool
}

// PermitsConfig is what Permits are made of.
type PermitsConfig struct {
	Member *Membership
	Record PermitRecord
	Others Others // may be nil
	// Key hashes what names a user or an organization in the record.
	Key func(string) string
}

// capKey names a cap.
type capKey struct {
	scope store.PermitScope
	key   string
}

// permit is what this node has of a cap.
type permit struct {
	used, granted int
	least         int // the fewest that were unused since the last renewal
	limit         int // the cap, when it was asked for last
	total         int // what all nodes had then
	usedAt        time.Time
	askedAt       time.Time // when others were asked for it
	isDirty       bool      // the record says more than granted
	isStale       bool      // the cap was lowered, and total is of before
}

// drop gives up what is spare.
func (p *permit) drop(n int) {
	p.granted -= n
	p.isDirty = true
}

func (p *permit) spare() int { return p.granted - p.used }

// Permits fill the places of a cluster, never one over a cap among nodes whose leases are
// in force: a place is filled by a permit that the record granted to this node, and that
// it gives back when it needs it no longer. It is session.Places.
type Permits struct {
	cfg    PermitsConfig
	asking chan struct{} // holds one while somebody asks the record: one after the other

	mu   sync.Mutex
	held map[capKey]*permit
}

// NewPermits returns those of a node that has none.
func NewPermits(cfg PermitsConfig) *Permits {
	return &Permits{cfg: cfg, asking: make(chan struct{}, 1), held: map[capKey]*permit{}}
}

// need is a cap that a call counts for.
type need struct {
	capKey
	limit   int
	refusal session.RefusalCode
}

// needsOf are the caps of a call, in the order in which who is refused hears of them.
func (p *Permits) needsOf(c session.Caller, set session.Settings) []need {
	needs := []need{
		{capKey{store.PermitUser, p.KeyOf(c)}, set.MaxPerUser, session.UserCap},
		{capKey{store.PermitAll, ""}, set.MaxSessions, session.CapReached},
	}
	if c.Org != "" { // counted before there is a cap, too, for there may be one in a moment
		limit := settings.OrgCap(set.OrgCaps, set.MaxPerOrg, c.Org)
		if limit <= 0 {
			limit = noCap
		}
		needs = append(needs, need{capKey{store.PermitOrg, p.cfg.Key("org " + c.Org)}, limit, session.OrgCap})
	}
	return needs
}

// KeyOf is the key of a caller's permit, under which no other node knows who it is.
func (p *Permits) KeyOf(c session.Caller) string { return p.cfg.Key("account " + c.Account()) }

// Take implements session.Places: it takes a place of each cap, which release gives back.
func (p *Permits) Take(c session.Caller, set session.Settings) (release func(), err error) {
	needs := p.needsOf(c, set)
	if _, _, ok := p.cfg.Member.lease(); !ok {
		return nil, unavailable()
	}
	if len(p.use(needs)) == 0 {
		return p.releaseOf(needs), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), admitPatience)
	defer cancel()
	short, err := p.fetch(ctx, needs)
	if err == nil && p.askOthers(ctx, short) {
		short, err = p.fetch(ctx, needs)
	}
	switch {
	case err != nil:
		return nil, unavailable()
	case len(short) > 0:
		return nil, refused(short[0])
	}
	return p.releaseOf(needs), nil
}

// Replace implements session.Places.
func (p *Permits) Replace(c session.Caller) bool {
	if p.cfg.Others == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), admitPatience)
	defer cancel()
	return p.cfg.Others.Replace(ctx, p.KeyOf(c))
}

func unavailable() error {
	return &session.Refusal{Code: session.Unavailable, RetryAfter: unavailableRetry}
}

func refused(n need) error {
	r := session.NewRefusal(n.refusal)
	if n.refusal != session.UserCap {
		r.Limit = n.limit
	}
	return r
}

// use takes one of each that is needed, or none; it returns of which there is none here.
func (p *Permits) use(needs []need) (short []need) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range needs {
		if of := p.ofLocked(n); of.spare() < 1 {
			short = append(short, n)
		}
	}
	if len(short) > 0 {
		return short
	}
	for _, n := range needs {
		of := p.held[n.capKey]
		of.used++
		of.usedAt = p.cfg.Member.cfg.Now()
		of.least = min(of.least, of.spare())
	}
	return nil
}

// ofLocked is the permit of a cap. One that was lowered has nothing to spare: others may
// have more than is left of it. mu must be held.
func (p *Permits) ofLocked(n need) *permit {
	of := p.held[n.capKey]
	if of == nil {
		of = &permit{limit: n.limit}
		p.held[n.capKey] = of
	}
	if n.limit < of.limit {
		of.drop(max(0, of.spare()))
		of.isStale = true
	}
	of.limit = n.limit
	return of
}

// releaseOf gives back what use took: to this node, for the next call.
func (p *Permits) releaseOf(needs []need) func() {
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, n := range needs {
			of := p.held[n.capKey]
			of.used--
			of.usedAt = p.cfg.Member.cfg.Now()
			if of.isStale || of.total > of.limit { // of a cap that was lowered: it makes no room
				of.drop(1)
				of.total--
			}
		}
	}
}

// fetch asks the record for what is needed and isn't here, and takes it.
func (p *Permits) fetch(ctx context.Context, needs []need) (short []need, err error) {
	select {
	case p.asking <- struct{}{}:
		defer func() { <-p.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	short = p.use(needs) // somebody may have fetched enough meanwhile
	if len(short) == 0 {
		return nil, nil
	}
	demands := make([]store.PermitDemand, len(short))
	p.mu.Lock()
	for i, n := range short {
		of := p.ofLocked(n)
		demands[i] = store.PermitDemand{Scope: n.scope, Key: n.key, Have: of.granted, Want: 1, Cap: n.limit}
		if n.scope != store.PermitUser {
			demands[i].Want = p.blockOf(n.limit)
		}
	}
	p.mu.Unlock()
	if err := p.sync(ctx, demands); err != nil {
		return nil, err
	}
	return p.use(needs), nil
}

// blockOf is how many permits are fetched at once of a cap.
func (p *Permits) blockOf(limit int) int {
	return max(1, min(maxBlock, limit/(blockShare*p.cfg.Member.countLive())))
}

// sync asks the record, and notes what it granted. It must be its caller's turn to ask.
func (p *Permits) sync(ctx context.Context, demands []store.PermitDemand) error {
	id, epoch, ok := p.cfg.Member.lease()
	if !ok {
		return store.ErrLapsed
	}
	return p.syncAs(ctx, id, epoch, demands)
}

func (p *Permits) syncAs(ctx context.Context, id uint16, epoch int64, demands []store.PermitDemand) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	grants, err := p.cfg.Record.SyncPermits(ctx, id, epoch, demands)
	if self := p.cfg.Member.Self(); self.Epoch != epoch {
		return store.ErrLapsed // of a lease that is over
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.markDirtyLocked(demands)
		return err
	}
	for i, d := range demands {
		of := p.held[capKey{d.Scope, d.Key}]
		if of == nil {
			continue
		}
		if d.Cap == of.limit {
			of.granted += grants[i].Added
			of.isStale, of.total = false, grants[i].Total
		}
		of.isDirty = d.Have+grants[i].Added > of.granted
		of.least = min(of.least, of.spare())
	}
	return nil
}

// markDirtyLocked notes that the record may say more than is known here: an answer was
// lost. mu must be held.
func (p *Permits) markDirtyLocked(demands []store.PermitDemand) {
	for _, d := range demands {
		if of := p.held[capKey{d.Scope, d.Key}]; of != nil {
			of.isDirty = true
		}
	}
}

// askOthers has the other nodes give back what they don't use of the caps that are short;
// it reports whether they were asked.
func (p *Permits) askOthers(ctx context.Context, short []need) bool {
	if p.cfg.Others == nil {
		return false
	}
	now := p.cfg.Member.cfg.Now()
	p.mu.Lock()
	short = slices.DeleteFunc(slices.Clone(short), func(n need) bool {
		of := p.ofLocked(n)
		if now.Sub(of.askedAt) < askOthersEvery {
			return true
		}
		of.askedAt = now
		return false
	})
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, othersPatience)
	defer cancel()
	var asked sync.WaitGroup
	for _, n := range short {
		asked.Go(func() { p.cfg.Others.GiveBack(ctx, n.scope, n.key) })
	}
	asked.Wait()
	return len(short) > 0
}

// GiveBack gives back what this node holds unused of a cap: another is short of it.
func (p *Permits) GiveBack(ctx context.Context, scope store.PermitScope, key string) error {
	return p.giveBack(ctx, func(k capKey, of *permit) int {
		if k != (capKey{scope, key}) {
			return 0
		}
		return of.spare()
	})
}

// GiveBackOf gives back what a call of this node's had that was ended for one on another
// node: its place under each cap, for there may be no other.
func (p *Permits) GiveBackOf(ctx context.Context, c session.Caller) error {
	needs := p.needsOf(c, session.Settings{})
	return p.giveBack(ctx, func(k capKey, of *permit) int {
		if !slices.ContainsFunc(needs, func(n need) bool { return n.capKey == k }) {
			return 0
		}
		return min(1, of.spare())
	})
}

// Renewed tells that the lease was renewed: what was not needed since the last time goes
// back. With isNew it is another lease, and all that live are told of anew.
func (p *Permits) Renewed(ctx context.Context, isNew bool) error {
	if isNew {
		return p.declare(ctx)
	}
	return p.giveBack(ctx, p.unneeded)
}

// unneeded is how many of a permit may go. Of a cap that is far from full a block stays
// while there are calls, so that most cost no question. mu must be held.
func (p *Permits) unneeded(k capKey, of *permit) int {
	now := p.cfg.Member.cfg.Now()
	least := min(of.least, of.spare())
	of.least = of.spare()
	switch {
	case k.scope == store.PermitUser && now.Sub(of.usedAt) < userKeep:
		return 0
	case k.scope == store.PermitUser:
		return of.spare()
	case of.used > 0 && of.limit-of.total > of.limit/blockShare:
		return max(0, least-p.blockOf(of.limit))
	}
	return least
}

// giveBack lowers what is held by what may go, and then tells the record.
func (p *Permits) giveBack(ctx context.Context, mayGo func(capKey, *permit) int) error {
	select {
	case p.asking <- struct{}{}:
		defer func() { <-p.asking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	var demands []store.PermitDemand
	p.mu.Lock()
	for k, of := range p.held {
		if n := mayGo(k, of); n > 0 {
			of.drop(n)
		}
		if of.isDirty {
			demands = append(demands, store.PermitDemand{Scope: k.scope, Key: k.key, Have: of.granted, Cap: of.limit})
		}
	}
	p.mu.Unlock()
	err := p.syncAll(ctx, demands, p.sync)
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.held, func(_ capKey, of *permit) bool { return of.used == 0 && of.granted <= 0 && !of.isDirty })
	return err
}

// declare tells the record what lives, of a lease that has no permits yet.
func (p *Permits) declare(ctx context.Context) error {
	select {
	case p.asking <- struct{}{}:
		defer func() { <-p.asking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	var demands []store.PermitDemand
	p.mu.Lock()
	for k, of := range p.held {
		of.granted, of.isDirty = of.used, false // the record has nothing of this lease yet
		if of.used == 0 {
			delete(p.held, k)
			continue
		}
		demands = append(demands, store.PermitDemand{Scope: k.scope, Key: k.key, Have: of.used, Cap: of.limit})
	}
	p.mu.Unlock()
	self := p.cfg.Member.Self()
	return p.syncAll(ctx, demands, func(ctx context.Context, some []store.PermitDemand) error {
		return p.syncAs(ctx, self.ID, self.Epoch, some)
	})
}

func (p *Permits) syncAll(ctx context.Context, demands []store.PermitDemand, sync func(context.Context, []store.PermitDemand) error) error {
	for len(demands) > 0 {
		n := min(syncAtOnce, len(demands))
		if err := sync(ctx, demands[:n]); err != nil {
			return err
		}
		demands = demands[n:]
	}
	return nil
}
