// Package e2e proves Parley from outside: the real binary, a real Chromium, a
// spoken WAV as the microphone, and where it may, a network path of known delay
// and loss. Its tests are few sentences of a user each. It is a module of its
// own, so that the browser's driver stays out of the product.
package e2e
