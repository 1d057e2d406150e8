"""The page: layout, actions, what is kept between them, theme. app.py starts it."""
