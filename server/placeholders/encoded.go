package placeholders

// EncodedID is a ticket's number in a form that mails are recognised by, such as
// 7Q2V9K-3MXD: no two tickets of an account have the same, and neighbours look
// nothing alike. It is no secret.
func EncodedID(account, ticket int64) string {
	const (
		digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // without those that look alike
		bits   = 50
		mask   = 1<<bits - 1
		odd    = 0x2545F4914F6CDD1D & mask // odd, so that no two products are the same
	)
	n := (uint64(ticket) ^ uint64(account)*0x9E3779B9) & mask
	n = n * odd & mask
	n ^= n >> 25
	n = n * odd & mask
	b := make([]byte, 0, 11)
	for i := range 10 {
		if i == 6 {
			b = append(b, '-')
		}
		b = append(b, digits[n>>(bits-5*(i+1))&31])
	}
	return string(b)
}
