from ems_client.main import main

main()
