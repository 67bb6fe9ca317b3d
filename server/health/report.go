package health

import (
	"sync"
	"time"

	"parley/server/alert"
	"parley/server/anomaly"
	"parley/server/monitor"
	"parley/shared/quality"
)

// maxSignInsTold bounds the origins of refused sign-ins that one report tells apart.
const maxSignInsTold = 200

// Report is what a node of a cluster tells the others of itself each second, so that the
// one that leads judges what all of them see. Counts are since it started.
type Report struct {
	Live    int             `json:"live"`
	Counted monitor.Counted `json:"counted"`
	MOS     anomaly.Sum     `json:"mos"` // of the calls that live

	StorageAttempts int64 `json:"storage_attempts"`
	LostLogLines    int64 `json:"lost_log_lines"`
	RefusedStreams  int64 `json:"refused_streams"`

	AreKeysStale    bool     `json:"are_keys_stale,omitempty"`
	CertificateDays *float64 `json:"certificate_days,omitempty"`
	DiskUsed        float64  `json:"disk_used,omitempty"`

	SignIns []RefusedSignIns `json:"sign_ins,omitempty"` // since the report before
}

// RefusedSignIns are sign-ins that were refused: where they came from and whose they were;
// "" is unknown.
type RefusedSignIns struct {
	Address string `json:"address,omitempty"`
	Org     string `json:"org,omitempty"`
	Count   int    `json:"count"`
}

// increase is by how much a count of a node grew; one that began anew counts from zero.
func increase(before, now int64) int64 {
	if now < before {
		return now
	}
	return now - before
}

// mosOf sums up how the calls do that live.
func mosOf(ratings []monitor.Rating) (sum anomaly.Sum) {
	for _, r := range ratings {
		if r.Level != quality.None {
			sum.Add(r.MOS)
		}
	}
	return sum
}

// untold are refused sign-ins that the other nodes don't know of yet.
type untold struct {
	mu     sync.Mutex
	counts map[RefusedSignIns]int
}

func (u *untold) add(of RefusedSignIns) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.counts == nil {
		u.counts = make(map[RefusedSignIns]int)
	}
	if _, known := u.counts[of]; !known && len(u.counts) >= maxSignInsTold {
		of = RefusedSignIns{}
	}
	u.counts[of]++
}

func (u *untold) take() (told []RefusedSignIns) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for of, n := range u.counts {
		of.Count = n
		told = append(told, of)
	}
	clear(u.counts)
	return told
}

// CountRefusedSignIn counts a sign-in that was refused here, for TakeReport.
func (r *Readings) CountRefusedSignIn(address, org string) {
	r.untold.add(RefusedSignIns{Address: address, Org: org})
}

// TakeReport returns what the other nodes are told now. What it tells of sign-ins is told
// once.
func (r *Readings) TakeReport() Report {
	live, _, _ := r.from.Capacity()
	return Report{
		Live: live, Counted: r.from.Counted(), MOS: mosOf(r.from.OwnRatings()),
		StorageAttempts: r.from.RefusedOperations(), LostLogLines: r.from.LostLogLines(), RefusedStreams: r.refusedStreams.Load(),
		AreKeysStale: !r.from.AreKeysWell(), CertificateDays: r.certificateDays(), DiskUsed: r.from.DiskUsed(),
		SignIns: r.untold.take(),
	}
}

func (r *Readings) certificateDays() *float64 {
	_, ends := r.from.Certificate()
	if ends.IsZero() {
		return nil
	}
	return new(time.Until(ends).Hours() / 24)
}

// addOthers adds what the other nodes report. What a node counted before it was heard of
// first is not of now.
func (r *Readings) addOthers(to *alert.Readings, reports map[string]Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, is := range reports {
		to.Live += is.Live
		to.Others = append(to.Others, alert.NodeReadings{Node: name, AreKeysStale: is.AreKeysStale, CertificateDays: is.CertificateDays, DiskUsed: is.DiskUsed})
		was, known := r.before[name]
		if !known {
			continue
		}
		r.others.StorageAttempts += increase(was.StorageAttempts, is.StorageAttempts)
		r.others.LostLogLines += increase(was.LostLogLines, is.LostLogLines)
		if n := increase(was.RefusedStreams, is.RefusedStreams); n > 0 {
			r.others.RefusedStreams += n
			r.streamsRefusedAt = name
		}
	}
	r.before = reports
	if to.StreamsRefused > r.ownStreams {
		r.ownStreams, r.streamsRefusedAt = to.StreamsRefused, r.from.Node
	}
	to.StorageAttempts += r.others.StorageAttempts
	to.LogFailures += r.others.LostLogLines
	to.StreamsRefused += r.others.RefusedStreams
	to.Node, to.StreamsRefusedAt = r.from.Node, r.streamsRefusedAt
}
