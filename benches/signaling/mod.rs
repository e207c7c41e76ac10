pub(crate) fn run() -> crate::support::Result<()> { Ok(()) }
