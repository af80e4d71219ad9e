package tests_of_ours

test_elsewhere if data.networks.office == []

test_elsewhere_passes if data.networks.office != []
