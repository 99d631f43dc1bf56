from ems_realtime.main import main

main()
