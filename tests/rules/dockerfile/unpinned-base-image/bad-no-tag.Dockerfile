# expect: unpinned-base-image
FROM registry.example.com:5000/python AS base
FROM base
