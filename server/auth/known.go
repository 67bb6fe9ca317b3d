package auth

import (
	"hash/maphash"
	"sync"
)

// maxKnownSubjects bounds how many subjects are remembered, in up to three places each. When there
// are more, it begins anew: the record knows the others.
const maxKnownSubjects = 200_000

// knownSubjects remembers who came with a valid token in this life of the server,
// before any record says so, and whether or not one is kept. It holds hashes
// that mean nothing outside of it.
type knownSubjects struct {
	seed maphash.Seed

	mu     sync.RWMutex
	hashes map[uint64]struct{}
}

// anySubject stands for whoever of an organization: it is no character of a subject.
const anySubject = "\x00"

func newKnownSubjects() *knownSubjects {
	return &knownSubjects{seed: maphash.MakeSeed(), hashes: make(map[uint64]struct{})}
}

// add remembers a subject, of its organization and at all.
func (m *knownSubjects) add(id Identity) {
	if m.contains(id.Org, id.Subject) {
		return
	}
	within, anywhere := m.hash(id.Org, id.Subject), m.hash("", id.Subject)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.hashes) >= maxKnownSubjects {
		clear(m.hashes)
	}
	m.hashes[within], m.hashes[anywhere] = struct{}{}, struct{}{}
	if id.Org != "" {
		m.hashes[m.hash(id.Org, anySubject)] = struct{}{}
	}
}

func (m *knownSubjects) contains(org, sub string) bool {
	h := m.hash(org, sub)
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, ok := m.hashes[h]
	return ok
}

func (m *knownSubjects) hash(org, sub string) uint64 {
	return maphash.String(m.seed, Identity{Org: org, Subject: sub}.Account())
}

// HasMet reports whether a subject came with a valid token since the server
// started: of an organization, or of any if org is empty.
func (a *Auth) HasMet(org, sub string) bool { return a.knownSubjects.contains(org, sub) }
