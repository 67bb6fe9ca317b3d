package auth

import (
	"hash/maphash"
	"sync"
)

// maxMet bounds how many subjects are remembered, in two places each. When there
// are more, it begins anew: the record knows the others.
const maxMet = 200_000

// metSubjects remembers who came with a valid token in this life of the server,
// before any record says so, and whether or not one is kept. It holds hashes
// that mean nothing outside of it.
type metSubjects struct {
	seed maphash.Seed

	mu  sync.RWMutex
	met map[uint64]struct{}
}

func newMetSubjects() *metSubjects {
	return &metSubjects{seed: maphash.MakeSeed(), met: make(map[uint64]struct{})}
}

// add remembers a subject, of its organization and at all.
func (m *metSubjects) add(id Identity) {
	if m.has(id.Org, id.Subject) {
		return
	}
	within, anywhere := m.hash(id.Org, id.Subject), m.hash("", id.Subject)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.met) >= maxMet {
		clear(m.met)
	}
	m.met[within], m.met[anywhere] = struct{}{}, struct{}{}
}

func (m *metSubjects) has(org, sub string) bool {
	h := m.hash(org, sub)
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, ok := m.met[h]
	return ok
}

func (m *metSubjects) hash(org, sub string) uint64 {
	return maphash.String(m.seed, Identity{Org: org, Subject: sub}.Account())
}

// HasMet reports whether a subject came with a valid token since the server
// started: of an organization, or of any if org is empty.
func (a *Auth) HasMet(org, sub string) bool { return a.met.has(org, sub) }
