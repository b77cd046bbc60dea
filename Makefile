# For fingers used to make; the scripts are the real thing and need no make.
.PHONY: run test check lock
run:
	@./optconsole
test:
	@./test
check:
	@.ci/run
lock:
	@scripts/lock
