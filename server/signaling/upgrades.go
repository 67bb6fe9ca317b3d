package signaling

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// upgrades counts each user's tries to open a socket.
type upgrades struct {
	burst int
	every rate.Limit

	mu        sync.Mutex
	byAccount map[string]*rate.Limiter
	swept     time.Time
}

// sweepEvery is how often users whose bucket is full again are forgotten.
const sweepEvery = time.Minute

func newUpgrades(l Limits) *upgrades {
	return &upgrades{burst: l.Upgrades, every: rate.Every(l.UpgradeEvery), byAccount: make(map[string]*rate.Limiter)}
}

// take counts one try; it gives how long to wait if that was one too many.
func (u *upgrades) take(account string, perUser int, now time.Time) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sweep(now)
	burst := u.burst + 2*perUser
	l, ok := u.byAccount[account]
	if !ok {
		l = rate.NewLimiter(u.every, burst)
		u.byAccount[account] = l
	}
	if l.Burst() != burst {
		l.SetBurstAt(now, burst)
	}
	if l.AllowN(now, 1) {
		return 0
	}
	missing := 1 - l.TokensAt(now)
	return max(time.Duration(missing/float64(u.every)*float64(time.Second)), time.Nanosecond)
}

func (u *upgrades) sweep(now time.Time) {
	if now.Sub(u.swept) < sweepEvery {
		return
	}
	u.swept = now
	for account, l := range u.byAccount {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(u.byAccount, account)
		}
	}
}
