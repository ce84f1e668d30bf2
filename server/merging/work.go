package merging

func (s *Service) work() {}
