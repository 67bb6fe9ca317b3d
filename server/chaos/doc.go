// Package chaos holds what a deployment of several nodes promises against what goes wrong:
// nodes, bus and database that are killed, stopped, or cut off. Its tests need root, run
// for minutes, and only where PARLEY_CHAOS is set: `make chaos`.
package chaos
