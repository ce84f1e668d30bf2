package page

import "slices"

// Of is the page that r asks for of items that are all there, in the order of
// their keys, which are unique.
func Of[T any](items []T, r Request, key func(T) string) (Result[T], error) {
	out := Result[T]{Request: r, Items: []T{}, Count: len(items)}
	from, to := 0, r.Size
	if !r.Cursor {
		if err := r.reachable(); err != nil {
			return out, err
		}
		from, to = r.offset(), r.offset()+r.Size
	}
	const order = "key"
	behind := func(name, text string) (int, bool, error) {
		values, err := decode(name, text, order, 1)
		if err != nil {
			return 0, false, err
		}
		at, ok := values[0].(string)
		if !ok {
			return 0, false, BadCursor("page[" + name + "]")
		}
		i, found := slices.BinarySearchFunc(items, at, func(item T, at string) int {
			switch k := key(item); {
			case k < at:
				return -1
			case k > at:
				return 1
			}
			return 0
		})
		return i, found, nil
	}
	switch {
	case r.After != "":
		i, found, err := behind("after", r.After)
		if err != nil {
			return out, err
		}
		if found {
			i++
		}
		from, to = i, i+r.Size
	case r.Before == End:
		from, to = len(items)-r.Size, len(items)
	case r.Before != "":
		i, _, err := behind("before", r.Before)
		if err != nil {
			return out, err
		}
		from, to = i-r.Size, i
	}
	from, to = min(max(from, 0), len(items)), min(max(to, 0), len(items))
	out.Items = append(out.Items, items[from:to]...)
	out.HasMore, out.HasPrevious = to < len(items) && len(out.Items) > 0, from > 0
	if r.Cursor && len(out.Items) > 0 {
		out.Before, out.After = encode(order, []any{key(items[from])}), encode(order, []any{key(items[to-1])})
	}
	return out, nil
}
