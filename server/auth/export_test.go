package auth

// ParseKeySet tells the algorithm of each key that would be taken, by kid.
func ParseKeySet(raw []byte) (map[string]string, error) {
	keys, err := parseKeySet(raw)
	algs := make(map[string]string, len(keys))
	for kid, v := range keys {
		algs[kid] = v.alg
	}
	return algs, err
}
